import { chromium } from 'playwright-core';
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--headless','--no-sandbox','--disable-gpu','--no-first-run','--disable-background-networking','--disable-component-update','--disable-sync']});
const errs=[];
async function open(o){const c=await b.newContext(o);const p=await c.newPage();p.on('console',m=>errs.push(m.text()));p.on('pageerror',e=>errs.push(String(e)));p.on('dialog',d=>{errs.push('DIALOG');d.dismiss()});await p.goto('http://127.0.0.1:29777/');return p}
const wait=+process.argv[2]*1000;
const light=await open({viewport:{width:1280,height:900},colorScheme:'light'});
const dark=await open({viewport:{width:1280,height:900},colorScheme:'dark'});
const phone=await open({viewport:{width:360,height:740},deviceScaleFactor:2,isMobile:true,colorScheme:'light'});
await light.waitForTimeout(wait);
await light.screenshot({path:'/tmp/page/light.png'});
await dark.locator('#connections-rows a').first().click(); await dark.waitForTimeout(600);
await dark.screenshot({path:'/tmp/page/dark.png'});
await phone.screenshot({path:'/tmp/page/phone.png',fullPage:true});
console.log(await phone.evaluate('[document.documentElement.scrollWidth,innerWidth]'));
console.log(errs);
await b.close();
